using GptOss.Checkpoint;

namespace GptOss.Model;

/// <summary>Gives the weights of a model one by one: the files of a checkpoint, or random numbers.</summary>
internal interface IWeightSource
{
    /// <summary>The tensors that were given so far, in the order of use; none where no file holds them.</summary>
    IReadOnlyList<Tensor> Tensors => [];

    /// <summary>The numbers of a norm or of the sinks, as float32.</summary>
    /// <param name="place">Which weight is asked for.</param>
    /// <param name="length">How many numbers it must have.</param>
    float[] Vector(WeightPlace place, int length);

    /// <summary>A matrix with its bias, if its role has one.</summary>
    /// <param name="place">Which weight is asked for.</param>
    /// <param name="outputs">Outputs that the matrix must have.</param>
    /// <param name="inputs">Inputs that the matrix must have.</param>
    Matrix Matrix(WeightPlace place, int outputs, int inputs);

    /// <summary>The matrices of a layer's experts: gate and up, or down.</summary>
    /// <param name="place">The layer, and the role <see cref="WeightRole.GateUp"/> or
    /// <see cref="WeightRole.Down"/>.</param>
    /// <param name="outputs">Outputs of each expert; of gate and up together.</param>
    /// <param name="inputs">Inputs that each matrix must have.</param>
    ExpertMatrices Experts(WeightPlace place, int outputs, int inputs);
}
